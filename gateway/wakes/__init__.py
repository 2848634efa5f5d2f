"""How the processes of one database hurry each other; what is lost only costs time."""
