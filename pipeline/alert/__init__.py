"""Alert: rules against live articles, an outbox, and the channels that empty it."""
