"""A phone's share menu: the browser posts what is shared as a form, as the web app manifest says."""

import base64

from playwright.async_api import FilePayload, Page

POST_FORM = """([action, title, files]) => {
    const made = (tag, members) => Object.assign(document.createElement(tag), members);
    const form = made("form", { action, method: "post", enctype: "multipart/form-data" });
    const picker = made("input", { name: "file", type: "file", multiple: true });
    const carried = new DataTransfer();
    for (const [name, data] of files) {
        const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0));
        carried.items.add(new File([bytes], name, { type: "image/jpeg" }));
    }
    picker.files = carried.files;
    form.append(made("input", { name: "title", value: title }), picker);
    document.body.append(form);
    form.submit();
}"""


async def upload_shared(page: Page) -> None:
    """Answer the question what becomes of shared files."""
    await page.get_by_role("button", name="Upload", exact=True).click()


async def share(page: Page, *files: FilePayload, title: str = "", action: str = "/?share") -> None:
    """Share files with the host, as from another app."""
    carried = [(each["name"], base64.b64encode(each["buffer"]).decode()) for each in files]
    await page.evaluate(POST_FORM, [action, title, carried])
