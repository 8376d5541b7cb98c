"""What links lead to, pages aside: renditions, originals, zip files, QR codes, health."""
