"""The session with the server as the artist sees it: submit, stream, preview, cancel."""
