"use strict";
// The key to the patient's data: behind the "#" of the address, shown to our own server alone.  Any page may use this.

const KEY = window.location.hash.slice(1);

/** What the server gives to who has the key, or null where this is not it. */
async function held(name) {
  const answer = await fetch(`data/${name}`, { headers: { Authorization: `Bearer ${KEY}` } });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

/** A socket to this page, which has shown the key. */
function talk() {
  const socket = new WebSocket(`${window.location.origin.replace(/^http/, "ws")}${window.location.pathname}socket`);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => socket.send(JSON.stringify({ token: KEY })));
  return socket;
}

window.addEventListener("hashchange", () => window.location.reload());
