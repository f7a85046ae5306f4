"""Rules for strangers' text, each once: its characters, its encoding, its dates, its size. Imported by every step."""
