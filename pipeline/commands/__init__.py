"""The commands, one file a topic; each reads its arguments, opens ports through wiring and prints."""
