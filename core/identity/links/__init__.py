"""Links: accounts on channels, each tied to one person by a one-time code."""
