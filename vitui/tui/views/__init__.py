"""What the screens draw: immutable pictures of the lab, made in the poller's thread. One file for each screen.

A screen says what it wants to see with a watch; the watch makes the reader, which the poller asks again and again.
"""
