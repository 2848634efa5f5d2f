"""The variants of jobs: edited, and one of them accepted."""
