"""How the sandbox painter makes its pictures: layers of landscape, little figures, finishes."""
