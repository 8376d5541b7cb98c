"""What happens to images and albums once they are accepted: shipping, prewarming, expiry, erasing, sweeps, purges."""
