"""Reports for a committee: plain values first, then one page that shows nothing else."""

from crashcover.report.book_content import book_content
from crashcover.report.cover_content import cover_content
from crashcover.report.page import write_page

__all__ = ["book_content", "cover_content", "write_page"]
