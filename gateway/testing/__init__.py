"""What authors of plugins test with: a whole gateway, and somebody on every channel.

Nothing is imported here, for pytest loads this package in every run of everybody.
"""
