"""The forecasters: opponents to beat, each a few lines, and the calibration of the engine."""
