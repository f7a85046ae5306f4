"""Search: questions to the index."""
