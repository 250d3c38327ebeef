"""`sitewatch model quantize`: int8 or fp16, with accuracy before and after."""
