"""What runs leave behind: folders and records."""
