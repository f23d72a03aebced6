"""Text: what may be stored or shown, ids, lengths of time, cells of a spreadsheet. Pure functions."""
