"""Floor 3: flows join rooms and decide what happens together in one transaction."""
