"""Reports for a committee: plain values first, then one page that shows nothing else."""
