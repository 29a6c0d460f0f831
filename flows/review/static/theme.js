// Sets the theme before the page is painted: the one chosen here, otherwise the system's.
const chosen = localStorage.getItem("runoff-theme");
if (chosen) document.documentElement.dataset.theme = chosen;
