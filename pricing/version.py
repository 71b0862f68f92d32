"""The version of the release and the version of the numbers."""

#: Version of the packages, as pip and ``crashcover --version`` show it.
VERSION = "0.3.0"

#: Version of the numbers. It is part of every model digest and every quote, so a stored quote reproduces as long as it
#: stays. It changes only with a release that gives other bits for the same model, seed and number of paths.
ENGINE_VERSION = "0.2.0"
