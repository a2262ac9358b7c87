// Sets the chosen theme before anything is painted, so that a dark page never flashes white.
(() => {
  const kept = localStorage.getItem("theme");
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
})();
