"""The app in a browser: textual-serve, behind a link that only its reader has."""
