/** Starts scans: of a folder below the server's root, or of archives that are dropped or chosen. */
import { request, upload } from "./client.ts";
import { make, makeAlert, makeButton, setText } from "./make.ts";
import type { Scan } from "./wire.ts";

export class NewScan {
  readonly node: HTMLElement;
  readonly #started: (scan: Scan) => void;
  readonly #alert = makeAlert();
  readonly #uploads = make("ul", { className: "uploads", ariaLabel: "Uploads" });

  constructor(started: (scan: Scan) => void) {
    this.#started = started;
    const path = make("input", { id: "path", name: "path", autocomplete: "off", spellcheck: false });
    path.placeholder = "all of it";
    const form = make(
      "form",
      { className: "line" },
      make("label", { htmlFor: "path" }, "Folder below the root"),
      path,
      make("button", { type: "submit", className: "primary" }, "Scan"),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#scanPath(path.value.trim());
    });
    this.node = make(
      "section",
      { className: "card start", ariaLabel: "New scan" },
      make("h2", {}, "New scan"),
      form,
      this.#dropZone(),
      this.#alert,
      this.#uploads,
    );
  }

  #dropZone(): HTMLElement {
    const input = make("input", { type: "file", multiple: true, accept: ".zip,.tar,.tar.gz,.tgz" });
    const zone = make(
      "label",
      { className: "drop" },
      "Archive: drop it here, or choose a zip, tar or tar.gz",
      input,
    );
    const take = (files: FileList | null | undefined): void => {
      for (const file of files ?? []) void this.#upload(file);
    };
    input.addEventListener("change", () => {
      take(input.files);
      input.value = "";
    });
    const over = (event: DragEvent, isOver: boolean): void => {
      event.preventDefault();
      zone.classList.toggle("over", isOver);
    };
    zone.addEventListener("dragover", (event) => over(event, true));
    zone.addEventListener("dragleave", (event) => over(event, false));
    zone.addEventListener("drop", (event) => {
      over(event, false);
      take(event.dataTransfer?.files);
    });
    return zone;
  }

  async #scanPath(path: string): Promise<void> {
    setText(this.#alert, "");
    try {
      this.#started(await request<Scan>("POST", "/api/scans", { body: { path: path === "" ? "." : path } }));
    } catch (error) {
      setText(this.#alert, (error as Error).message);
    }
  }

  async #upload(file: File): Promise<void> {
    setText(this.#alert, "");
    const cancel = new AbortController();
    const bar = make("progress", { max: 1, value: 0, ariaLabel: `Upload of ${file.name}` });
    const row = make(
      "li",
      {},
      make("span", { className: "name" }, file.name),
      bar,
      makeButton("Cancel", () => cancel.abort(), { ariaLabel: `Cancel the upload of ${file.name}` }),
    );
    this.#uploads.append(row);
    try {
      this.#started(await upload(file, (part) => (bar.value = part), cancel.signal));
    } catch (error) {
      if (!cancel.signal.aborted) setText(this.#alert, `${file.name}: ${(error as Error).message}`);
    } finally {
      row.remove();
    }
  }
}
