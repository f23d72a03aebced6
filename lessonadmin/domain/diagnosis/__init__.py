"""Why a video is where it is, and which button helps: facts, findings, and a comparison with Mux."""
