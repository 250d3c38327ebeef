"""`sitewatch model torchserve`: write a TorchServe handler and its configuration."""
