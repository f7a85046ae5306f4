"""Enrich: from an article as it was found to one with clean text, in stages that are functions of the article."""
