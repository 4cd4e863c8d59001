"""Dagster's web server, subclassed where it asks what somebody may do. Private parts of Dagster are used here."""

from asyncio import Task
from collections.abc import Collection, Mapping
from typing import Any

from dagster._core.storage.tags import REPORTING_USER_TAG, USER_TAG
from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.permissions import PermissionResult
from dagster_webserver.webserver import DagsterWebserver
from graphql import ASTValidationRule, GraphQLError, GraphQLFormattedError, parse, validate
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.websockets import WebSocket

from batch_jobs.access.sessions import SignedIn, signed_in
from batch_jobs.orchestration.web.pages import with_user_menu
from batch_jobs.orchestration.web.permissions import RoleAllows, permitted


class UserRequestContext(WorkspaceRequestContext):
    """One request of a user: what they may do, and the tags that name them."""

    @property
    def user(self) -> SignedIn:
        """Raises LookupError where nobody is signed in, which the gate before the server does not let happen."""
        found = signed_in.get()
        if found is None:
            raise LookupError("nobody is signed in")
        return found

    @property
    def permissions(self) -> Mapping[str, PermissionResult]:
        return permitted(self.user.role, super().permissions)

    def permissions_for_location(self, *, location_name: str) -> Mapping[str, PermissionResult]:
        return permitted(self.user.role, super().permissions_for_location(location_name=location_name))

    def get_viewer_tags(self) -> dict[str, str]:
        return {USER_TAG: self.user.name}

    def get_reporting_user_tags(self) -> dict[str, str]:
        return {REPORTING_USER_TAG: self.user.name}


class UserProcessContext(WorkspaceProcessContext):
    """The workspace of a web server whose users have roles."""

    def create_request_context(self, source: object | None = None) -> UserRequestContext:
        return UserRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=self.read_only,
        )


class UserWebserver(DagsterWebserver[UserProcessContext, UserRequestContext]):
    """Dagster's web server, which refuses what the user's role does not include and shows who is signed in."""

    def build_graphql_validation_rules(self) -> Collection[type[ASTValidationRule]]:
        return [*super().build_graphql_validation_rules(), RoleAllows]

    async def execute_graphql_subscription(
        self,
        websocket: WebSocket,
        operation_id: str,
        query: str,
        variables: dict[str, Any] | None,
        operation_name: str | None,
    ) -> tuple[Task[None] | None, GraphQLFormattedError | None]:
        # Dagster validates no document that comes by websocket.
        try:
            refused = validate(self._graphene_schema.graphql_schema, parse(query), [RoleAllows])
        except GraphQLError as error:
            refused = [error]
        if refused:
            return None, refused[0].formatted
        return await super().execute_graphql_subscription(websocket, operation_id, query, variables, operation_name)

    def index_html_endpoint(self, request: Request) -> HTMLResponse:
        page: HTMLResponse = super().index_html_endpoint(request)
        user = signed_in.get()
        return with_user_menu(page, user) if user else page
