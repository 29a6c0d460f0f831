"""What tests share: makers, servers, browsers, and processes that tests start."""
