"""One run: its session, its loop, its folder."""
