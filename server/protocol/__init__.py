"""The protocol between client and server: messages, framing, limits, credit. No sockets here."""
