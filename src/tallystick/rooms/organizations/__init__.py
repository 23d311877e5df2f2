"""Organizations, billing entities and API keys: who the tenants are, and whom a key speaks for."""
