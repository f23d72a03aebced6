"""How far people have watched lessons, and which they have done. No page shows an instructor who that was: they see counts."""
