"""The query language: one parser, one tree, one analyser; compiled to each engine and to the matcher."""
