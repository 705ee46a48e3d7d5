"""Pictures for docs/cda: the composed reports as a page in Chromium and as the laboratory's PDF."""
