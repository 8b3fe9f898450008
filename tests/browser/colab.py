"""Servers of pages that put outputs where Colab puts them.

Colab shows every output in a sandboxed frame of another origin. So a page takes two servers: two
ports are two origins.
"""

from __future__ import annotations

from http.server import BaseHTTPRequestHandler

# Colab shows every output in a frame of an origin of its own; a message brings the HTML, and the
# frame puts it in and runs its scripts.
FRAME = b"""<!DOCTYPE html><html><body><script>
addEventListener("message", ({data}) => {
  if (data.way === "write") {
    document.open();
    document.write(data.html);
    document.close();
    return;
  }
  const box = document.createElement("div");
  box.innerHTML = data.html;
  document.body.append(box);
  for (const old of box.querySelectorAll("script")) {
    const fresh = document.createElement("script");
    fresh.textContent = old.textContent;
    old.replaceWith(fresh);
  }
});
parent.postMessage("ready", "*");
</script></body></html>"""
NOTEBOOK = b"""<!DOCTYPE html><html><body><script>
function show(html, way, origin) {
  return new Promise((resolve) => {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
    frame.style = "width: 900px; height: 700px; border: 0; display: block";
    frame.src = origin + "/frame";
    addEventListener("message", ({source}) => {
      if (source !== frame.contentWindow) return;
      frame.contentWindow.postMessage({html, way}, "*");
      resolve();
    });
    document.body.append(frame);
  });
}
</script></body></html>"""


class Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = {"/frame": FRAME, "/notebook": NOTEBOOK}.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *args: object) -> None:
        """Quiet."""
