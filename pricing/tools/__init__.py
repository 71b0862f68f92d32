"""What every other folder uses: units, times, arrays, files, processes, plain forms."""
