"""The engine version: part of every number's identity."""

ENGINE_VERSION = "0.2.0"
