"""loginward: an endpoint authentication agent."""

VERSION = "0.1.0"
