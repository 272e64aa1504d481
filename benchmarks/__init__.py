"""Speed, told as ratios: each figure stands beside a reference that ran in the same rounds on the same machine."""
