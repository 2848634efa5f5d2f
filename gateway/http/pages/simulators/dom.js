// Builds elements. Whatever somebody wrote becomes text, never markup.

export const find = (id) => document.getElementById(id);

export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) {
      made.addEventListener(name.slice(2), value);
    } else if (value === true) {
      made.setAttribute(name, "");
    } else if (value !== false && value !== null && value !== undefined) {
      made.setAttribute(name, value);
    }
  }
  made.append(...children.flat().filter((child) => child !== null));
  return made;
}

// Only addresses that a browser opens as a page; anything else stays text.
export function link(url, label) {
  const isPage = /^(https?:|mailto:)/i.test(url);
  const attributes = { href: url, target: "_blank", rel: "noopener noreferrer" };
  return isPage ? el("a", attributes, label) : el("span", {}, label);
}

export function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

export function say(text) {
  find("status").textContent = text;
}

// A list keeps its place unless its reader stood at the end.
export function refill(list, children) {
  const isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
  list.replaceChildren(...children);
  if (isAtEnd || !list.dataset.seen) {
    list.scrollTop = list.scrollHeight;
    list.dataset.seen = "yes";
  }
}

// What is new is shown from its first line on.
export function append(list, child) {
  list.append(child);
  while (list.childElementCount > 50) {
    list.firstElementChild.remove();
  }
  list.scrollTop = child.offsetTop - list.offsetTop;
}
