"""The life of subscriptions: create, change plan, edit, terminate, and what happens to them on their dates."""
