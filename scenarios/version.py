"""The version of rehearse, as records name it."""

VERSION = "0.1.0"
