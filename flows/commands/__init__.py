"""The commands, one file for each family; nothing slow is loaded before a command runs."""
