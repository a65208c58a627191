"""loginward: an endpoint authentication agent."""
