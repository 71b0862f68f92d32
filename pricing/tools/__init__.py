"""Tools for all other folders: units, times, arrays, files, processes, plain forms."""
