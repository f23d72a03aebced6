"""From a file to an upload at Mux, and assets that staff or another program name as the video."""
