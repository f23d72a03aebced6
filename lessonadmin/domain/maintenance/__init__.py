"""What runs by itself or by command to repair and to tidy: the sweep, fix-lessons, retention."""
