/** The entry `.` of a package has no name in TypeDoc, which leaves its heading and its links empty. It is called "main". */
import { Application, ReflectionKind } from "typedoc";

export function load(app) {
  app.on(Application.EVENT_PROJECT_REVIVE, (project) => {
    for (const module of project.getReflectionsByKind(ReflectionKind.Module))
      if (module.name === "") module.name = "main";
  });
}
