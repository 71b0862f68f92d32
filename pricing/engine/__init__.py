"""From a model to worst drops: kernel inputs, simulation, anchoring, replay."""
