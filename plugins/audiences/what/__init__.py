"""What is sent: identifiers, the difference to what was sent before, the upload. Reads no rules, opens no connection."""
