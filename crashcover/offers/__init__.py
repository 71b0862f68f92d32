"""From a calibration and terms to quotes and refusals, and what drives a price."""
